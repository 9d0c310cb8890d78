"""Charts for people: one idea each, drawn from frames of a few thousand rows. Each returns a matplotlib `Figure`.

Notebooks and the page of a run (`reporting/page.py`) draw the same ones; modules are by subject.
"""
