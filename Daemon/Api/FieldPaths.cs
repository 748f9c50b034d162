using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Api;

/// <summary>Reads field masks: which parts of a message are to replace those that are there.</summary>
/// <remarks>A path is a field's name, or <c>labels.KEY</c> for one entry of a map, where the key may hold dots itself. An entry that the
/// message does not have is removed. No mask stands for all fields that can be changed.</remarks>
internal static class FieldPaths
{
    private const int MaxPaths = 1024;
    private const string LabelsField = "labels";

    /// <summary>The paths of a mask.</summary>
    /// <exception cref="ImageStoreException">They are too many (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static IReadOnlyList<string> Of(FieldMask? mask) => mask is null ? [] : mask.Paths.Count <= MaxPaths
        ? mask.Paths
        : throw new ImageStoreException(ErrorKind.InvalidArgument, $"A field mask has more than {MaxPaths} paths.");

    /// <summary>The key that a path names in the map <paramref name="field"/>, or null.</summary>
    public static string? KeyIn(string field, string path) =>
        path.Length > field.Length + 1 && path[field.Length] == '.' && path.StartsWith(field, StringComparison.Ordinal)
            ? path[(field.Length + 1)..]
            : null;

    /// <summary>The change of labels that a request asks for, where labels are all that can be changed.</summary>
    /// <exception cref="ImageStoreException">The mask names something else (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static LabelUpdate ToLabels(FieldMask? mask, MapField<string, string> labels, string what)
    {
        var paths = Of(mask);
        if (paths.Count == 0)
        {
            return LabelUpdate.Replace(labels);
        }

        Dictionary<string, string> changes = new(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (path == LabelsField)
            {
                return LabelUpdate.Replace(labels);
            }

            var key = KeyIn(LabelsField, path) ?? throw Unknown(path, what);
            changes[key] = labels.TryGetValue(key, out var value) ? value : string.Empty;
        }

        return LabelUpdate.Set(changes);
    }

    /// <summary>Puts the entry <paramref name="key"/> of one map into another, or removes it where it is not there.</summary>
    public static void Copy<T>(IReadOnlyDictionary<string, T> from, Dictionary<string, T> to, string key)
    {
        if (from.TryGetValue(key, out var value))
        {
            to[key] = value;
        }
        else
        {
            to.Remove(key);
        }
    }

    /// <summary>The error for a field that cannot be changed.</summary>
    public static ImageStoreException Unknown(string path, string what) =>
        new(ErrorKind.InvalidArgument, $"The field '{Printable.Of(path)}' of {what} cannot be changed.");
}
