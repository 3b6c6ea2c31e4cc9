"""The models as estimators of scikit-learn, for pipelines, searches and whatever else takes them.

It needs ``pip install "symae[sklearn]"``.
"""

from symae.errors import BackendError

try:
    from sklearn.utils.validation import validate_data as _validate_data  # noqa: F401
except ImportError as error:
    raise BackendError(
        "symae.sklearn", f"no scikit-learn of version 1.6 or newer ({error})", 'it: pip install "symae[sklearn]"'
    ) from error

from symae.sklearn.autoencoders import Autoencoder, DenoisingAutoencoder, SparseAutoencoder
from symae.sklearn.logistic import LogisticRegression

__all__ = ["Autoencoder", "DenoisingAutoencoder", "LogisticRegression", "SparseAutoencoder"]
