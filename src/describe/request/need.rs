pub struct Need;
