"""Run a script that uses Django, and let it hash passwords in no time: ``quick_hashes.py SCRIPT``.

Django's own number of iterations takes half a second for each login.
"""

import runpy
import sys

from django.contrib.auth.hashers import PBKDF2PasswordHasher

if __name__ == "__main__":
    PBKDF2PasswordHasher.iterations = 1
    runpy.run_path(sys.argv[1], run_name="__main__")
