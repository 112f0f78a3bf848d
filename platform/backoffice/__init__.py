"""The two admin sites: an agency's on its own host, the platform's on the base domain."""
