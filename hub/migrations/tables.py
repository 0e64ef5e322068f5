"""All tables: importing this module makes the metadata complete.

A test compares the imports with the models that exist.
"""

from typing import Final

import hub.activity.models
import hub.auth.models
import hub.connectors.models
import hub.correlations.models
import hub.db.tenancy
import hub.deliveries.models
import hub.dispatch.models
import hub.http.models
import hub.imports.models
import hub.mappings.models
import hub.metrics.models
import hub.reconciliations.models
import hub.rulesets.models
import hub.runs.models
from hub.db.base import Base

MODULES: Final = (
    hub.activity.models,
    hub.auth.models,
    hub.connectors.models,
    hub.correlations.models,
    hub.db.tenancy,
    hub.deliveries.models,
    hub.dispatch.models,
    hub.http.models,
    hub.imports.models,
    hub.mappings.models,
    hub.metrics.models,
    hub.reconciliations.models,
    hub.rulesets.models,
    hub.runs.models,
)
metadata: Final = Base.metadata
