"""Labels by people: tasks from standard templates, answered in a notebook, on a page of one's own or by a crowd.

    store = Store(Path("labelling/jobs.db"))
    Labeller(store, "receipts")                 # in a notebook
    results(store.votes("receipts"))            # what the answers say together

The original's DropTurk (Dropbox, 2017) gave its engineers the same: a library of task templates, pools of people, and
results ready to train on.
"""
