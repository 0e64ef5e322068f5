import hub_zendesk

from hub.testing import PluginContract


class TestZendesk(PluginContract):
    plugin = hub_zendesk
    settings = {  # noqa: RUF012 - the kit reads it, nobody writes it
        "subdomain": "acme",
        "email": "hub@acme.example",
        "api_token": "t0ken-value",
        "webhook_secret": "s3cret-value",
    }
