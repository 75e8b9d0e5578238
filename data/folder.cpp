// placeholder so that the folder builds before its first source
