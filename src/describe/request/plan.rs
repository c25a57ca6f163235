pub struct Answer; pub struct Plan; pub struct Understanding;
