"""What the tests of courses-service share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
