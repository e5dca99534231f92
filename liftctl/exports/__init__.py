"""What leaves a home in other people's formats: FHIR, CSV, Parquet, webhooks.

Role: package of the export commands. Must never: export a resident, a carer or a remark unless
that was asked for by name.
"""
