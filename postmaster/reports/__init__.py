"""DMARC aggregate reports (RFC 7489, 7.2 and appendix C): what others say of letters in our name."""
