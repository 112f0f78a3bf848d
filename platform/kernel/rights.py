"""What an agency's database role may do with the rows of a model: its `database_rights`.

A model that says nothing may be read and written freely. What history is made of may not.
"""

# PostgreSQL's words, in their alphabetical order: so they are compared with its catalogs.
APPEND_ONLY = "INSERT, SELECT"
# Never changed, and gone only with what it is about.
WRITTEN_ONCE = "DELETE, INSERT, SELECT"
EVERYTHING = "DELETE, INSERT, SELECT, UPDATE"
