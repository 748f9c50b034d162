using System.Text;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Tells how a disk came about that failed, and how it is made again.</summary>
internal static class CutStory
{
    private const int ToldOperations = 6;
    private const int ToldFates = 40;

    /// <summary>A place by the number of its step, of the operation in it, and the variant.</summary>
    public static string NameOf(RecordedCourse course, int cut, string variant)
    {
        var step = course.StepAt(cut);
        return $"{course.Steps.TakeWhile(one => one != step).Count()}.{cut - step.Start}/{variant}";
    }

    public static string Tell(
        RecordedStep step, IEnumerable<DiskOperation> done, IReadOnlyList<string> fates, string name, int seed)
    {
        var text = new StringBuilder();
        text.AppendLine($"  {name}, in '{step.Step}', which has {step.End - step.Start} operations; the last were");
        foreach (var operation in done.TakeLast(ToldOperations))
        {
            text.AppendLine($"    {operation}");
        }

        text.AppendLine($"  {fates.Count} were not synced, and of the last of them were");
        foreach (var fate in fates.TakeLast(ToldFates))
        {
            text.AppendLine($"    {fate}");
        }

        text.Append($"  again: IMAGESTORE_DURABILITY_SEED={seed} IMAGESTORE_DURABILITY_ONLY='{name}' ./test Integration.Tests");
        return text.ToString();
    }
}
