"""An applet that counts its visits in its home and asks its own server."""
import os
import urllib.request


class Counter:
    def __init__(self, greeting="Hello", port=0):
        try:
            with open("visits") as file:
                self.visits = int(file.read())
        except FileNotFoundError:
            self.visits = 0
        self.visits += 1
        page.set_title("Visits")  # noqa: F821 (granted by the browser)
        page.write("%s, visit number %d" % (greeting, self.visits))  # noqa: F821
        if port:
            with urllib.request.urlopen("http://127.0.0.1:%d/news.txt" % port) as answer:
                page.write("\n" + answer.read().decode())  # noqa: F821
        log.write("variables: " + " ".join(sorted(os.environ)))  # noqa: F821

    def __cleanup__(self):
        with open("visits", "w") as file:
            file.write(str(self.visits))
