"""The HTTP library that huggingface_hub stands on here: httpx, or httpx2 from its version 2 on."""

import importlib

from huggingface_hub import errors

http = importlib.import_module(errors.HfHubHTTPError.__bases__[0].__module__.partition(".")[0])
