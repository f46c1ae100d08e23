//! The fields of persons, auctions and bids.

use flott_types::TypeKind;

use crate::Kind;

/// A field of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// `id` of a person or auction.
    Id,
    /// `dateTime` of any event.
    DateTime,
    /// `person.name`
    Name,
    /// `person.emailAddress`
    EmailAddress,
    /// `person.creditCard`
    CreditCard,
    /// `person.city`
    City,
    /// `person.state`
    State,
    /// `auction.itemName`
    ItemName,
    /// `auction.description`
    Description,
    /// `auction.initialBid`
    InitialBid,
    /// `auction.reserve`
    Reserve,
    /// `auction.expires`
    Expires,
    /// `auction.seller`
    Seller,
    /// `auction.category`
    Category,
    /// `bid.auction`
    Auction,
    /// `bid.bidder`
    Bidder,
    /// `bid.price`
    Price,
    /// `bid.channel`
    Channel,
    /// `bid.url`
    Url,
    /// `extra` of any event.
    Extra,
}

const PERSON: &[(&str, Field)] = &[
    ("id", Field::Id),
    ("name", Field::Name),
    ("emailAddress", Field::EmailAddress),
    ("creditCard", Field::CreditCard),
    ("city", Field::City),
    ("state", Field::State),
    ("dateTime", Field::DateTime),
    ("extra", Field::Extra),
];

const AUCTION: &[(&str, Field)] = &[
    ("id", Field::Id),
    ("itemName", Field::ItemName),
    ("description", Field::Description),
    ("initialBid", Field::InitialBid),
    ("reserve", Field::Reserve),
    ("dateTime", Field::DateTime),
    ("expires", Field::Expires),
    ("seller", Field::Seller),
    ("category", Field::Category),
    ("extra", Field::Extra),
];

const BID: &[(&str, Field)] = &[
    ("auction", Field::Auction),
    ("bidder", Field::Bidder),
    ("price", Field::Price),
    ("channel", Field::Channel),
    ("url", Field::Url),
    ("dateTime", Field::DateTime),
    ("extra", Field::Extra),
];

impl Kind {
    /// The kind of event that a column of the table has the fields of.
    pub(crate) fn of_column(name: &str) -> Option<Self> {
        [Kind::Person, Kind::Auction, Kind::Bid].into_iter().find(|kind| kind.column() == name)
    }

    /// The name of the column that has its fields.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Auction => "auction",
            Kind::Bid => "bid",
        }
    }

    /// Its fields with their names, in the public benchmark's order.
    pub fn fields(self) -> &'static [(&'static str, Field)] {
        match self {
            Kind::Person => PERSON,
            Kind::Auction => AUCTION,
            Kind::Bid => BID,
        }
    }

    /// The field with this name.
    pub(crate) fn field(self, name: &str) -> Option<Field> {
        self.fields().iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }
}

impl Field {
    /// Its type.
    pub(crate) fn ty(self) -> TypeKind {
        match self {
            Field::DateTime | Field::Expires => TypeKind::Timestamp(3),
            Field::Id
            | Field::InitialBid
            | Field::Reserve
            | Field::Seller
            | Field::Category
            | Field::Auction
            | Field::Bidder
            | Field::Price => TypeKind::BigInt,
            _ => TypeKind::Varchar(TypeKind::MAX_LENGTH),
        }
    }

    /// Which random numbers it is made from; fields without take the last one.
    pub(crate) fn stream(self, kind: Kind) -> u64 {
        match (self, kind) {
            (Field::Name, _) => 1,
            (Field::EmailAddress, _) => 2,
            (Field::CreditCard, _) => 3,
            (Field::City, _) => 4,
            (Field::State, _) => 5,
            (Field::Extra, Kind::Person) => 6,
            (Field::ItemName, _) => 7,
            (Field::Description, _) => 8,
            (Field::InitialBid, _) => 9,
            (Field::Reserve, _) => 10,
            (Field::Expires, _) => 11,
            (Field::Seller, _) => 12,
            (Field::Category, _) => 13,
            (Field::Extra, Kind::Auction) => 14,
            (Field::Auction, _) => 15,
            (Field::Bidder, _) => 16,
            (Field::Price, _) => 17,
            (Field::Channel | Field::Url, _) => 18,
            (Field::Extra, Kind::Bid) => 19,
            (Field::Id | Field::DateTime, _) => 0,
        }
    }
}
