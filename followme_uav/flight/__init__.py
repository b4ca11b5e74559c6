"""One flight: loop, metrics, summary, and the process of the embedded simulator."""
