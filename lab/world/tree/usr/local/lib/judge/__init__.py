"""The world's judge: what a big receiver would say of a letter that has arrived here. It sends nothing and refuses nothing."""
