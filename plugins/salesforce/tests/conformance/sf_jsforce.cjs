// jsforce drives the simulated org: node sf_jsforce.cjs '{"url": …, "key": …, "secret": …, "assertion": …}'
const { Connection } = require('@jsforce/jsforce-node');

const given = JSON.parse(process.argv[2]);
const failures = [];
let calls = 0;

async function step(what, act, wanted) {
  calls += 1;
  try {
    const found = await act();
    if (!wanted(found)) failures.push(`jsforce: ${what}: ${JSON.stringify(found)}`.slice(0, 300));
    return found;
  } catch (error) {
    failures.push(`jsforce: ${what}: ${error.name}: ${error.message}`);
    return undefined;
  }
}

async function refused(what, act, word) {
  calls += 1;
  try {
    failures.push(`jsforce: ${what}: passed with ${JSON.stringify(await act())}`.slice(0, 300));
  } catch (error) {
    if (!`${error.name} ${error.message}`.includes(word)) failures.push(`jsforce: ${what}: ${error.name}: ${error.message}, without ${word}`);
  }
}

function connection(more) {
  return new Connection({ version: '60.0', ...more });
}

async function signIns() {
  const oauth2 = { loginUrl: given.url, clientId: given.key, clientSecret: given.secret };
  const soap = connection({ loginUrl: given.url });
  await step('SOAP login', () => soap.login(given.username, `${given.password}TOKEN`), (info) => info.organizationId === given.organization);
  const password = connection({ oauth2 });
  await step('OAuth password', () => password.login(given.username, `${given.password}TOKEN`), (info) => info.organizationId === given.organization);
  const app = connection({ oauth2 });
  await step('client credentials', () => app.authorize({ grant_type: 'client_credentials' }), (info) => Boolean(info.id));
  const jwt = connection({ oauth2 });
  await step('JWT', () => jwt.authorize({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: given.assertion }), (info) => Boolean(info.id));
  await refused('wrong password', () => connection({ loginUrl: given.url }).login(given.username, 'wrong'), 'INVALID_LOGIN');
  return connection({ instanceUrl: given.url, accessToken: jwt.accessToken });
}

async function records(conn) {
  const cases = conn.sobject('Case');
  const made = await step('create', () => cases.create({ Subject: 'a' }), (answer) => answer.success);
  await step('retrieve', () => cases.retrieve(made.id), (row) => row.Subject === 'a');
  await step('update', () => cases.update({ Id: made.id, Status: 'Closed' }), (answer) => answer.success);
  await step('describe', () => cases.describe(), (answer) => answer.fields.length > 30);
  await step('global describe', () => conn.describeGlobal(), (answer) => answer.sobjects.length > 5);
  await step('upsert', () => cases.upsert({ Subject: 'u', PagerDuty_Hub_Key__c: 'j1' }, 'PagerDuty_Hub_Key__c'), (answer) => answer.success);
  await step('create several', () => cases.create([{ Subject: 'b' }, { Subject: 'c' }]), (answer) => answer.length === 2 && answer.every((one) => one.success));
  await step('find', () => conn.sobject('Case').find({ Subject: { $in: ['b', 'c'] } }, 'Id, Subject').sort('Subject'), (rows) => rows.length === 2);
  await step('query', () => conn.query('SELECT Id, Owner.Name FROM Case LIMIT 1'), (answer) => Boolean(answer.records[0].Owner.Name));
  await step('limits', () => conn.limits(), (answer) => answer.DailyApiRequests.Max === 15000);
  await step('limit header', async () => conn.limitInfo, (info) => info.apiUsage.limit === 15000);
  await step('identity', () => conn.request('/services/oauth2/userinfo'), (answer) => answer.organization_id === given.organization);
  await step('updated rows', () => cases.updated(new Date(Date.now() - 3600e3), new Date(Date.now() + 60e3)), (answer) => answer.ids.length > 0);
  await step('delete', () => cases.destroy(made.id), (answer) => answer.success);
  await step('composite', () => conn.requestPost('/services/data/v60.0/composite', { allOrNone: true, compositeRequest: [{ method: 'POST', url: '/services/data/v60.0/sobjects/Case', referenceId: 'c', body: { Subject: 'x' } }, { method: 'POST', url: '/services/data/v60.0/sobjects/CaseComment', referenceId: 'n', body: { ParentId: '@{c.id}', CommentBody: 'y' } }] }), (answer) => answer.compositeResponse.every((one) => one.httpStatusCode === 201));
}

async function errors(conn) {
  await refused('unknown field', () => conn.sobject('Case').create({ Nothing: 1 }), 'INVALID_FIELD');
  await refused('bad query', () => conn.query('SELECT Foo FROM Case'), 'No such column');
  await refused('too long', () => conn.sobject('Case').create({ Subject: 'x'.repeat(300) }), 'STRING_TOO_LONG');
  await refused('expired session', () => connection({ instanceUrl: given.url, accessToken: 'gone' }).query('SELECT Id FROM Case'), 'INVALID_SESSION_ID');
}

signIns()
  .then(async (conn) => { await records(conn); await errors(conn); })
  .catch((error) => failures.push(`jsforce: ${error.stack}`))
  .finally(() => console.log(JSON.stringify({ calls, failures })));
