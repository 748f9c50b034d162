using System.IO.Hashing;
using System.Text;
using ImageStore.Store.Errors;
using LiteDB;

namespace ImageStore.Store.Metadata;

/// <summary>Rows as LiteDB's documents, each with a checksum of its own, since LiteDB's data pages have none.</summary>
internal static class RowCodec
{
    private const string Key = "_id";
    private const string Value = "v";
    private const string Checksum = "c";

    public static BsonDocument Encode(string table, string key, byte[] value) => new()
    {
        [Key] = key,
        [Value] = value,
        [Checksum] = Hash(table, key, value),
    };

    /// <exception cref="ImageStoreException">The checksum does not match (<see cref="ErrorKind.CorruptData"/>).</exception>
    public static (string Key, byte[] Value) Decode(string table, BsonDocument document)
    {
        if (document[Key] is { IsString: true, AsString: var key }
            && document[Value] is { IsBinary: true, AsBinary: var value }
            && document[Checksum] is { IsInt64: true, AsInt64: var checksum }
            && checksum == Hash(table, key, value))
        {
            return (key, value);
        }

        throw new ImageStoreException(
            ErrorKind.CorruptData,
            $"The metadata row {Printable.Of(document[Key].ToString())} of the table {table} is damaged.",
            "Restore the root's metadata folder from a backup, or pull the images again into a new root.");
    }

    private static long Hash(string table, string key, byte[] value)
    {
        var hash = new XxHash3();
        hash.Append(Encoding.UTF8.GetBytes(table + "\0" + key + "\0"));
        hash.Append(value);
        return unchecked((long)hash.GetCurrentHashAsUInt64());
    }
}
