"""An applet that counts its visits in its home and asks its own server."""
import os
import urllib.request

from pysandbox_guest import log, page


class Counter:
    def __init__(self, greeting="Hello", port=0):
        try:
            with open("visits") as file:
                self.visits = int(file.read())
        except FileNotFoundError:
            self.visits = 0
        self.visits += 1
        page.set_title("Visits")
        page.write("%s, visit number %d" % (greeting, self.visits))
        if port:
            with urllib.request.urlopen("http://127.0.0.1:%d/news.txt" % port) as answer:
                page.write("\n" + answer.read().decode())
        log.write("variables: " + " ".join(sorted(os.environ)))

    def __cleanup__(self):
        with open("visits", "w") as file:
            file.write(str(self.visits))
