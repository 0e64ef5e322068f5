"""What all forms of this plugin have in common."""

from pydantic import BaseModel, ConfigDict


class Form(BaseModel):
    """A model that is built when first used, so that importing the plugin stays cheap."""

    model_config = ConfigDict(defer_build=True)
