// Tells the hub of new, changed, deleted and restored Cases.
trigger HubCase on Case (after insert, after update, after delete, after undelete) {
    HubSync.push('Case', Trigger.oldMap, Trigger.newMap);
}
