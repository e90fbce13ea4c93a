"""The numbers of the report: reads and checks stores, measures errors, pools figures."""
