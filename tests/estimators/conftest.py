"""What the tests of the estimators need: without scikit-learn they are skipped."""

from __future__ import annotations

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", exc_type=ImportError)
