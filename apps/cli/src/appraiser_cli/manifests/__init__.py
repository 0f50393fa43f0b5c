"""The manifests below gitops/, rendered and held against schemas and policies, without a cluster."""
