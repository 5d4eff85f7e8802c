"""Claims, their evidence, and the verdicts that follow. Nothing here knows of E: another paper's claims can use it."""
