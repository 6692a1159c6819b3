/* arguments of the command line */
parse arg first rest; say '['first'|'rest']' arg() words(arg(1)); arg up; say up
