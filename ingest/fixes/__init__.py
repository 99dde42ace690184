"""
What ended an incident, read from prose by rules.

A sentence states a fix where a verb that responders act by stands as something done: "we restarted X", "X was
restarted", "fixed by restarting X", "rollback of X". What stands under a cause, a discovery, a plan, a condition or an
accident was not done to end the incident, and says nothing. What did not help is kept as such. Where nothing is clear,
nothing is said.

A text is cut into sentences (`pieces`). In each, every known verb (`verbs`) is looked at where it stands (`clauses`):
not where it tells of no response (`standing`), and only as what responders did (`voice`). Its object or, in a passive,
its subject (`nouns`) gives the target, and at times another action (`targets`). These are a sentence's acts (`acts`).
Whether one helped, its clause and the next sentence tell (`outcomes`); sections differ in how far they are believed,
and the clearest fix comes first (`extraction`).
"""
