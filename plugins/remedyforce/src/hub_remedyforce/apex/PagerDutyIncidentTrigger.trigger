// Tells the hub of new and changed incidents, with their old values.
trigger PagerDutyIncidentTrigger on BMCServiceDesk__Incident__c (after insert, after update) {
    // What future methods and batches change is found by the hub's poller.
    if (!System.isFuture() && !System.isBatch()) {
        String oldStr = JSON.serialize(Trigger.oldMap);
        String newStr = JSON.serialize(Trigger.newMap);
        if (!Test.isRunningTest()) {
            HubEngineLauncher.launchByTrigger(oldStr, newStr, Trigger.isInsert, UserInfo.getUserEmail());
        }
    }
}
