"""`check --online --as`: real hand-offs to the real Help Desk."""
