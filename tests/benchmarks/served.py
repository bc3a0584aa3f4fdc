"""The application that a server is started with: `BENCHMARK_APPLICATION` names it."""

import os

from routes import APPLICATIONS

app = APPLICATIONS[os.environ["BENCHMARK_APPLICATION"]].make()
