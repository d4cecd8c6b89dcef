"""Two harmless samples that every scanner knows: EICAR's test virus and GTUBE, SpamAssassin's test spam.

https://www.eicar.org/download-anti-malware-testfile/ https://spamassassin.apache.org/gtube/
Both stand here in pieces, so that no scanner takes this file for one of them.
"""

# As a file of exactly these 68 bytes; inside a longer text many scanners let it pass.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-" + "ANTI-UBE-TEST-EMAIL*C.34X"
