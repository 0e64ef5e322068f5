// Tells the hub of new comments on Cases.
trigger HubCaseComment on CaseComment (after insert) {
    HubSync.push('CaseComment', null, Trigger.newMap);
}
