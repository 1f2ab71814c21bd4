"""The load manager through the JSON documents of WARP's ``power_manager`` API.

``fields`` says what a field is, ``documents`` lists them, ``meters`` numbers the meters, ``site`` is the way to Home
Assistant's entries and back, ``views`` answers requests.
"""

from .views import async_register_views

__all__ = ["async_register_views"]
