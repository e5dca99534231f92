"""The controller: modes, the transfer workflow and alarms.

Role: gives permission. Process: controller. Must never: command a motion, keep a person from
being lowered, or record who the carer is.
"""

from __future__ import annotations
