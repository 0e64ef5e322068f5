// Reads SOQL and Apex with the public parser: node sf_parse.cjs <file of [{name, rule, text}]>
const fs = require('node:fs');
const { ApexParserFactory } = require('@apexdevtools/apex-parser');

function problems(source, rule) {
  const found = [];
  const parser = ApexParserFactory.createParser(source);
  parser.removeErrorListeners();
  parser.addErrorListener({
    syntaxError: (_r, _s, line, column, message) => found.push(`${line}:${column} ${message}`),
    reportAmbiguity() {},
    reportAttemptingFullContext() {},
    reportContextSensitivity() {},
  });
  parser[rule]();
  const token = parser.getCurrentToken();
  if (token.type !== -1) found.push(`left over: ${token.text}`);
  return found;
}

const given = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
console.log(JSON.stringify(given.map(({ name, rule, text }) => ({ name, problems: problems(text, rule) }))));
