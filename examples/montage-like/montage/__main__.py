"""`python -m montage SECONDS FILE`: renders a title card."""
import sys

from montage.render import render

if __name__ == "__main__":
    render(float(sys.argv[1]), sys.argv[2])
