"""The program of the image: says where it stands."""

import os

print("process", os.getpid(), "of user", os.getuid())
print("sees", " ".join(sorted(os.listdir("/app"))))
