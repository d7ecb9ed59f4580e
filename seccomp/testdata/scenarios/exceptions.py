# layers: base
import sys, traceback

try:
    open("/nonexistent")
except FileNotFoundError:
    assert "nonexistent" in traceback.format_exc()
print("written to standard output")
sys.stderr.write("written to standard error\n")
