// Tells the hub of new rows of the incident history; the launcher reads them, with their action.
trigger PagerDutyIncidentHistoryTrigger on BMCServiceDesk__IncidentHistory__c (after insert) {
    if (!System.isFuture() && !System.isBatch()) {
        Set<Id> ids = Trigger.newMap.keySet();
        if (!Test.isRunningTest()) {
            HubEngineLauncher.launchByCaseCommentTrigger(ids, UserInfo.getUserEmail());
        }
    }
}
