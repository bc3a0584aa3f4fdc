"""A module whose import never ends, as with `ui.run()` of NiceGUI or `app.run()` of Flask."""

import threading

threading.Event().wait()
