"""The cloud providers there are."""

from __future__ import annotations

from puddle.client.cloud import CloudProvider

CLOUD_AWS = CloudProvider("Amazon Web Services", "aws")
CLOUD_AZURE = CloudProvider("Microsoft Azure", "azure")
CLOUD_GCP = CloudProvider("Google Cloud", "gcp")
CLOUD_KUBERNETES = CloudProvider("Kubernetes", "kubernetes")
CLOUD_LOCAL = CloudProvider("The backend's own machine", "local")
CLOUD_SIMULATED = CloudProvider("A simulation", "simulated")
