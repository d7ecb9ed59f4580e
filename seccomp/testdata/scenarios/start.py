# layers: base
import sys

assert sys.version_info[0] == 3
