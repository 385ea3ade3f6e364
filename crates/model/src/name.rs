//! Names of JSON members that mean something to us.

macro_rules! members {
    ($($name:ident = $text:literal,)+) => {
        /// A member of an event, of the wrapper around several, or of a CloudEvents envelope.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Member {
            $($name,)+
        }

        impl Member {
            /// How many there are.
            pub(crate) const COUNT: usize = [$(Self::$name,)+].len();

            /// The member of a name, which must match exactly.
            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// Its name.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

members! {
    SubscriptionReference = "SubscriptionReference",
    OptionCode = "OptionCode",
    UsageStart = "UsageStart",
    UsageEnd = "UsageEnd",
    Units = "Units",
    EventId = "EventId",
    Customer = "Customer",
    Description = "Description",
    RenewalOrderReference = "RenewalOrderReference",
    Action = "Action",
    Revision = "Revision",
    Identity = "Identity",
    Origin = "Origin",
    Usages = "Usages",
    SpecVersion = "specversion",
    Id = "id",
    Source = "source",
    Type = "type",
    DataContentType = "datacontenttype",
    Data = "data",
    DataBase64 = "data_base64",
}
