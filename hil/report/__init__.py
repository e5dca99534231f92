"""What a pack of runs leaves behind: page, result.json, JUnit, traces, events and a manifest.

Role: from results and their timelines to files. Must never: run a scenario, or change a verdict.
"""
