"""Why a carer's step was not taken: stable codes, each with what to do instead.

Role: the one table of the controller's refusals. Process: controller. Must never: refuse a
lowering (there is no such code).
"""

from __future__ import annotations

from liftctl.controller.flow import Case
from liftctl.controller.flows import Step, Trigger

HINTS = {
    "LC-FLOW-ACTION": "this action is unknown; reload the panel",
    "LC-FLOW-STEP": "not possible at this step; follow the actions shown",
    "LC-FLOW-LOADED": "the resident still hangs or stands; lower first",
    "LC-FLOW-NO-LOAD": "no load in the sling; raise until the loops are tight, then confirm",
    "LC-FLOW-CARERS": "call the second carer, let them join, then go on",
    "LC-FLOW-LAST-CARER": "a carer must stay while the resident hangs or stands; lower first",
    "LC-FLOW-FULL": "at most four carers can be counted",
    "LC-FLOW-PAUSED": "already paused; resume when the resident is calm and agrees",
    "LC-FLOW-RUNNING": "not paused; go on",
    "LC-ARGS": "an answer is missing or out of range; choose one of those shown",
    "LC-PLAN-KIND": "this kind of transfer does not exist here; choose one of those shown",
    "LC-PLAN-RESIDENT": "this resident is not planned for this room; choose one of those shown",
    "LC-PLAN-SLING": "the sling is withdrawn or its inspection is overdue; plan another sling",
    "LC-PLAN-CARERS": "call the second carer: one carer is not allowed for this resident today",
    "LC-GATE-LOST": "no contact with the lift's gate; lower with the hand control, call service",
    "LC-RECORDER-LOST": "the record cannot be written; no new transfer until it can, call service",
    "LC-DEVICE-STARTING": "a device is still starting; wait, or mend the device that is named",
    "LC-DEVICE-FAULT": "the device is faulted; clear the fault shown, then begin again",
    "LC-DEVICE-QUARANTINE": "a technician must release the device on site; lower, use another lift",
    "LC-DEVICE-CONFIG": "the configuration is not accepted; lowering only, call service",
    "LC-BATTERY-RESERVE": "the battery is at its reserve; charge before the next transfer",
}

_GUARDED = {
    Trigger.CANCEL: "LC-FLOW-LOADED",
    Trigger.FINISH: "LC-FLOW-LOADED",
    Trigger.UNHOOKED: "LC-FLOW-LOADED",
    Trigger.HOOKED: "LC-FLOW-CARERS",
    Trigger.CONSENT_YES: "LC-FLOW-CARERS",
    Trigger.CARER_LEFT: "LC-FLOW-LAST-CARER",
    Trigger.CARER_JOINED: "LC-FLOW-FULL",
    Trigger.HELPER_CALLED: "LC-FLOW-FULL",
    Trigger.PAUSE: "LC-FLOW-PAUSED",
    Trigger.RESUME: "LC-FLOW-RUNNING",
}


def guarded(trigger: Trigger, case: Case) -> str:
    """The reason behind a guard that said no to `trigger` in `case`."""
    if trigger is Trigger.CONSENT_NO:
        return "LC-FLOW-LOADED" if case.state == Step.CONSENT else "LC-FLOW-PAUSED"
    if trigger is Trigger.LOOPS_OK:
        return "LC-FLOW-CARERS" if case.loaded else "LC-FLOW-NO-LOAD"
    return _GUARDED[trigger]
