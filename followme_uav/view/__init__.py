"""Shows a flight as plots, as a video, and in the Rerun viewer, with one set of panels."""

import os

# Rerun reads it at import. Without it, Rerun logs errors when a person closes the viewer.
os.environ.setdefault("RUST_LOG", "warn,re_grpc_client=off,re_sdk=off")
