"""The pages of clinicians, staff and IT at the region."""

from web.clinic.app import create_app
from web.clinic.settings import WebSettings

__all__ = ["WebSettings", "create_app"]
