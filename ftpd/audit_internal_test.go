package ftpd
