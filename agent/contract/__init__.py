"""The contract between unit and region (v1): topics, messages, their schemas and samples."""
