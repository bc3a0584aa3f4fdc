"""Serves a wrapped application: ``python -m serve MODULE PORT PREFIX``."""

import importlib
import inspect
import sys

module, port, prefix = sys.argv[1:]
application = importlib.import_module(module).application
takes_scope = len(inspect.signature(application).parameters) == 3
if takes_scope:
    import uvicorn

    uvicorn.run(application, port=int(port), root_path=prefix, log_level="warning")
else:
    import waitress

    waitress.serve(application, host="127.0.0.1", port=int(port), url_prefix=prefix)
